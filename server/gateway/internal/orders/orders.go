// Package orders is what the server that has started the gateway tells it on stdin, a line each.
package orders

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
)

// Levels are those of the server's log, by its names.
var Levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError,
}

// Orders are what can be ordered: figures, which are answered on one line, and the level of the log.
type Orders struct {
	Level   *slog.LevelVar
	Figures func() []byte
}

// Obey does what comes until that ends. What is no order is passed over.
func (o Orders) Obey(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch order, word, _ := strings.Cut(lines.Text(), " "); order {
		case "figures":
			answer, _ := json.Marshal(map[string]string{"figures": string(o.Figures())}) // a text always can be
			_, _ = out.Write(append(answer, '\n'))                                       // whoever has asked may have ended
		case "level":
			o.setLevel(word)
		}
	}
	_, _ = io.Copy(io.Discard, in) // after a line too long
}

// setLevel logs from now on at a level that has this name, if one has.
func (o Orders) setLevel(name string) {
	if level, known := Levels[name]; known {
		o.Level.Set(level)
	}
}
