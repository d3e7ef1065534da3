// Package browser has tests only: they use the console and the fake Twilio's pages in a real Chromium, as people do, with `relay serve` and
// `relay fake-twilio` behind them. Whatever the browser complains of fails them, and so does what axe-core finds: testdata has axe-core
// 4.14.1 as it was published, with its licences. docs/console.md has its pictures from here.
package browser
