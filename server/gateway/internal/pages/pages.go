// Package pages has what people look at in a browser: one page, which needs nothing from elsewhere.
package pages

import (
	"embed"
	"path"
)

// Policy is the page's Content-Security-Policy: it loads what stands beside it, calls the service that it came
// from, and nothing in it is ever taken for code.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

//go:embed docs
var files embed.FS

var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
}

// Page is one file of the page.
type Page struct {
	Path, ContentType string
	Content           []byte
}

// All are the page at /docs and what it loads.
func All() []Page {
	entries, err := files.ReadDir("docs")
	if err != nil {
		panic(err) // they are in the program
	}
	var all []Page
	for _, entry := range entries {
		content, err := files.ReadFile("docs/" + entry.Name())
		if err != nil {
			panic(err)
		}
		at := "/docs/" + entry.Name()
		if entry.Name() == "index.html" {
			at = "/docs"
		}
		all = append(all, Page{at, kinds[path.Ext(entry.Name())], content})
	}
	return all
}
