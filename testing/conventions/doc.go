// Package conventions checks what no linter does: the sizes of files and functions, package comments, words that no
// name uses, and that no telephone number is anyone's. It has tests only, and looks at the whole module.
package conventions
