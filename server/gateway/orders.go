// What the server that has started the gateway tells it on stdin, a line each.

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
)

// levels are those of the server's log, by its names.
var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError,
}

// orders are what can be ordered: figures, which are answered on one line, and the level of the log.
type orders struct {
	level   *slog.LevelVar
	figures func() []byte
}

// obey does what comes until that ends. What is no order is passed over.
func (o orders) obey(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch order, word, _ := strings.Cut(lines.Text(), " "); order {
		case "figures":
			answer, _ := json.Marshal(map[string]string{"figures": string(o.figures())}) // a text always can be
			_, _ = out.Write(append(answer, '\n'))                                       // whoever has asked may have ended
		case "level":
			o.setLevel(word)
		}
	}
	_, _ = io.Copy(io.Discard, in) // after a line too long
}

// setLevel logs from now on at a level that has this name, if one has.
func (o orders) setLevel(name string) {
	if level, known := levels[name]; known {
		o.level.Set(level)
	}
}
