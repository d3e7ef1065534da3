// Package costs prices what the end-to-end run counted for one text on each path (testing/e2e/testdata/costs.json). Its test holds the
// tables of docs/cost.md against the result, and testing/scaling asks it what a size costs. It counts nothing itself.
package costs
