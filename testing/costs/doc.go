// Package costs holds no code but a test: it prices what the end-to-end run counted for one text on each path
// (testing/e2e/testdata/costs.json), and holds the tables of docs/cost.md against the result. It counts nothing itself.
package costs
