package representation

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"strconv"
	"strings"
)

// AcceptsGzip is whether a client that sends these Accept-Encoding headers takes gzip (RFC 9110, 12.5.3).
func AcceptsGzip(acceptEncoding []string) bool {
	accepted := map[string]bool{}
	for _, offer := range strings.Split(strings.Join(acceptEncoding, ","), ",") {
		coding, options, _ := strings.Cut(offer, ";")
		accepted[strings.ToLower(strings.TrimSpace(coding))] = weight(options) > 0
	}
	for _, name := range []string{"gzip", "x-gzip", "*"} {
		if yes, named := accepted[name]; named {
			return yes
		}
	}
	return false
}

// weight is the q of an offer: 1 where none is given, 0 where it is none.
func weight(options string) float64 {
	options = strings.ToLower(strings.TrimSpace(options))
	if options == "" {
		return 1
	}
	name, value, _ := strings.Cut(options, "=")
	q, err := strconv.ParseFloat(value, 64)
	if strings.TrimSpace(name) != "q" || err != nil {
		return 0
	}
	return q
}

// Packers are writers that pack, of about a megabyte each, so that there are few. An answer for which none is
// free goes out as it is.
type Packers chan *gzip.Writer

// NewPackers has room for so many, which are made when they are needed.
func NewPackers(number int) Packers {
	packers := make(Packers, number)
	for range number {
		packers <- nil
	}
	return packers
}

// Take is a writer that packs into another one, or nil. It goes back by Return.
func (p Packers) Take(into io.Writer) *gzip.Writer {
	select {
	case packer := <-p:
		if packer == nil {
			packer, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // which is a level
		}
		packer.Reset(into)
		return packer
	default:
		return nil
	}
}

// Pack is a body packed, or nil where no writer is free.
func (p Packers) Pack(body []byte) []byte {
	packed := &bytes.Buffer{}
	packer := p.Take(packed)
	if packer == nil {
		return nil
	}
	defer p.Return(packer)
	_, _ = packer.Write(body) // a buffer takes all
	_ = packer.Close()
	return packed.Bytes()
}

// Return takes a writer back.
func (p Packers) Return(packer *gzip.Writer) {
	packer.Reset(io.Discard) // it must not keep an answer alive
	p <- packer
}

// ErrNotGzip says that a body is not what its Content-Encoding says.
var ErrNotGzip = errors.New("not gzip")

// Unpack reads a packed body. How much it holds is not known before: bound what is read of it.
func Unpack(packed io.ReadCloser) io.ReadCloser { return &unpacker{ReadCloser: packed} }

type unpacker struct {
	io.ReadCloser
	content *gzip.Reader // nil until something is read: a body may never be asked for
}

func (u *unpacker) Read(p []byte) (n int, err error) {
	if u.content == nil {
		u.content, err = gzip.NewReader(u.ReadCloser)
	}
	if err == nil {
		n, err = u.content.Read(p)
	}
	return n, named(err)
}

// named is ErrNotGzip for what is wrong with the packing; other errors are of what is read.
func named(err error) error {
	corrupt := flate.CorruptInputError(0)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &corrupt) {
		return ErrNotGzip
	}
	return err
}
