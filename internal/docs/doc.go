// Package docs holds the checks that keep the repository's documents true: the relative links of every Markdown file,
// and the file map in DESIGN.md.
package docs
