// Package representation is about the forms of one answer: how a form is known again (RFC 9110, 8.8.3), and
// how it is packed (8.4).
package representation

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	tagBytes   = 16 // of a SHA-256
	packedMark = "-gzip"
)

// Tag is the strong ETag of a body: another body has another one.
func Tag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:tagBytes]) + `"`
}

// Packed is the ETag of the same body once it is packed, which is another form of it.
func Packed(tag string) string { return strings.TrimSuffix(tag, `"`) + packedMark + `"` }

// Has is whether a client that sends these If-None-Match headers has the body of a tag, packed or not: what
// it would get is the same once it is unpacked.
func Has(ifNoneMatch []string, tag string) bool {
	for _, line := range ifNoneMatch {
		for _, known := range strings.Split(line, ",") { // no tag of ours has a comma in it
			known = strings.TrimSpace(known)
			if known == "*" || content(known) == content(tag) {
				return true
			}
		}
	}
	return false
}

// content is what a tag says of the body alone. Proxies that pack an answer make its tag a weak one.
func content(tag string) string {
	return strings.Replace(strings.TrimPrefix(tag, "W/"), packedMark+`"`, `"`, 1)
}
