// What the system keeps of answers that nobody reads.

package guard

import (
	"errors"
	"net"
	"os"
)

// sendBuffer is how much of an answer the system may keep for its reader, of which it takes twice as much for
// its own needs. By itself it keeps as much as 4 MiB, of memory that no limit of the gateway counts, for each
// connection whose client does not read; so much suffices for 2 MiB a second to a reader 100 ms away.
const sendBuffer = 128 << 10

// reader is a client's connection. One that stood too long over an answer leaves nothing behind: without the
// reset the system would go on offering the rest of it for minutes, to a client that does not take it.
type reader struct{ *net.TCPConn }

// asReader bounds what the system keeps for a connection.
func asReader(c net.Conn) net.Conn {
	t, isTCP := c.(*net.TCPConn)
	if !isTCP {
		return c
	}
	_ = t.SetWriteBuffer(sendBuffer) // of one that is closed already nothing is kept
	return reader{t}
}

func (r reader) Write(p []byte) (int, error) {
	n, err := r.TCPConn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = r.SetLinger(0) // its owner closes it next
	}
	return n, err
}
