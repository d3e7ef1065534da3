package browser

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// do takes steps, and has patience with each.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if len(steps) == 0 {
		return
	}
	if chromedp.FromContext(b.context).Target == nil {
		// The first step binds the tab's life to its context.
		if err := chromedp.Do(b.context); err != nil {
			b.Fatal(err)
		}
	}
	limited, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	if err := chromedp.Do(limited, steps...); err != nil {
		b.Fatal(err)
	}
}

// open shows a page.
func (b *tab) open(url string) {
	b.Helper()
	b.do(chromedp.Navigate(url))
}

// try returns the value of an expression, or false while a page gives way to the next one.
func try[T any](b *tab, expression string) (T, error) {
	limited, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	return chromedp.Run(limited, chromedp.Evaluate[T](expression))
}

// value returns the text of an expression.
func (b *tab) value(expression string) string {
	b.Helper()
	v, err := try[any](b, expression)
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	text, _ := v.(string)
	return text
}

// wait waits until an expression is true.
func (b *tab) wait(expression, otherwise string) {
	b.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if is, err := try[bool](b, expression); err == nil && is {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s: on %s is\n%s", otherwise, b.value("location.href"), b.text())
		}
	}
}

// text is what a person reads on the page.
func (b *tab) text() string { return b.value("document.body.innerText") }

// see waits until the page shows all these words.
func (b *tab) see(words ...string) {
	b.Helper()
	for _, one := range words {
		b.wait("document.body.innerText.includes("+quoted(one)+")", "does not show "+one)
	}
}

// arrive waits until the page shows words by itself, or, where no scripts run, when it is loaded again.
func (b *tab) arrive(words string) {
	b.Helper()
	b.await("document.body.innerText.includes("+quoted(words)+")", words+" does not arrive")
}

// await does that for an expression that becomes true.
func (b *tab) await(shown, otherwise string) {
	b.Helper()
	if b.isPlain {
		b.reload(shown)
	}
	b.wait(shown, otherwise)
}

// reload loads the page again until an expression is true.
func (b *tab) reload(shown string) {
	b.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); b.do(chromedp.Reload()) {
		if is, err := try[bool](b, shown); err == nil && is {
			return
		}
	}
}

// within makes an XPath of things that have a name, as a screen reader says it.
func within(things, name string) string {
	n := quoted(name)
	return strings.NewReplacer("THING", things, "NAME", n).Replace(
		`(//THING[normalize-space()=NAME or @aria-label=NAME or @id=//label[starts-with(normalize-space(),NAME)]/@for])[1]`)
}

func quoted(words string) string {
	text, err := json.Marshal(words)
	if err != nil {
		panic(err) // a string always has a JSON form.
	}
	return string(text)
}

// find is a script that finds a thing, or null.
func find(path string) string {
	return "document.evaluate(" + quoted(path) + ",document,null,XPathResult.FIRST_ORDERED_NODE_TYPE,null).singleNodeValue"
}

// menu is the button that shows the console's pages on a narrow screen.
const menu = `//button[@popovertarget="menu"]`

// click presses with the mouse what a path leads to, once it is there and nothing covers it. What is in the menu is looked for there.
func (b *tab) click(path string) {
	b.Helper()
	isHidden := `(()=>{const e=` + find(path) + `;return e!==null&&e.closest("#menu")!==null&&!e.checkVisibility()})()`
	if is, err := try[bool](b, isHidden); err == nil && is && path != menu {
		b.click(menu)
	}
	where := `(()=>{const e=` + find(path) + `;if(!e||document.readyState!=="complete")return[];` +
		`e.scrollIntoView({block:"center",behavior:"instant"});const r=e.getClientRects()[0];if(!r)return[];` +
		`const x=r.x+r.width/2,y=r.y+r.height/2,at=document.elementFromPoint(x,y);` +
		`return e===at||e.contains(at)||at?.contains(e)&&at.labels?[x,y]:[]})()`
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if at, err := try[[]float64](b, where); err == nil && len(at) == 2 {
			b.do(chromedp.MouseClickXY(at[0], at[1]))
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("nothing to press at %s: on %s is\n%s", path, b.value("location.href"), b.text())
		}
	}
}

// press presses the button of a name, and follow follows a link: both lead to another page, or to this one anew.
func (b *tab) press(name string)  { b.Helper(); b.leave(within("button", name)) }
func (b *tab) follow(name string) { b.Helper(); b.leave(within("a", name)) }

// leave clicks what leads to another page, and waits until that is there.
func (b *tab) leave(path string) {
	b.Helper()
	b.value(`void(document.documentElement.dataset.old="")`)
	b.click(path)
	b.left(path)
}

// left waits until the page is there that a path led to.
func (b *tab) left(path string) {
	b.Helper()
	b.wait(`document.readyState==="complete"&&document.documentElement.dataset.old===undefined`, path+" leads nowhere")
}

// write writes into the field with a label, in place of what is there.
func (b *tab) write(label, words string) {
	b.Helper()
	path := within("*[self::input or self::textarea]", label)
	b.click(path)
	b.value(find(path) + ".select()")
	b.insert(words)
}

// choose chooses in the list with a label.
func (b *tab) choose(label, option string) {
	b.Helper()
	list := find(within("select", label))
	b.wait(list+"!==null", "no list "+label)
	b.wait("[..."+list+".options].some((o,i)=>o.text.trim()==="+quoted(option)+"&&(o.selected=true))", label+" has no "+option)
}

// look has the browser show pages on a screen of that width, in the light or in the dark.
func (b *tab) look(width int64, scheme string) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, 640), chromedp.Func(func(ctx context.Context, to *chromedp.Target) error {
		_, err := cdp.Call(ctx, to, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// withoutScripts has the browser run no script of a page.
func (b *tab) withoutScripts() {
	b.Helper()
	b.isPlain = true
	b.do(chromedp.Func(func(ctx context.Context, to *chromedp.Target) error {
		_, err := cdp.Call(ctx, to, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// signIn signs in to the console.
func (b *tab) signIn(name, password string) {
	b.Helper()
	b.open(b.relay + "/console")
	b.write("Name", name)
	b.write("Password", password)
	b.press("Sign in")
	b.see("Who is waiting?")
	b.wait(`document.querySelector("#menu").textContent.includes(`+quoted(name)+")", name+" is not signed in")
}
