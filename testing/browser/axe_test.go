package browser

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var axe string

// finding is a fault that axe-core finds.
type finding struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

func (f finding) String() string {
	text := f.ID + ": " + f.Help
	for _, n := range f.Nodes {
		text += fmt.Sprintf("\n  %s\n    %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
	}
	return text
}

// inspector is a world of its own on a page in which axe-core is, and the page's policy does not count: so the page need not let it in.
type inspector func(*runtime.EvaluateParams)

// inspector makes one on the page that is shown.
func (b *tab) inspector() inspector {
	b.Helper()
	limited, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	made, err := chromedp.Run(limited, func(ctx context.Context, to *chromedp.Target) (inspector, error) {
		tree, err := cdp.Call(ctx, to, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return nil, err
		}
		whole := page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: "axe"}
		world, err := cdp.Call(ctx, to, page.CreateIsolatedWorld, whole)
		if err != nil {
			return nil, err
		}
		in := func(p *runtime.EvaluateParams) { p.ContextID = world.ExecutionContextID }
		_, err = chromedp.Evaluate[chromedp.Void](axe+";0", in)(ctx, to)
		return in, err
	})
	if err != nil {
		b.Fatalf("axe-core: %v", err)
	}
	return made
}

// findings are what axe-core finds on the inspector's page as it looks now, by all its rules.
func (b *tab) findings(in inspector) []finding {
	b.Helper()
	limited, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	found, err := chromedp.Run(limited, func(ctx context.Context, to *chromedp.Target) ([]finding, error) {
		return chromedp.Evaluate[[]finding](`axe.run({resultTypes:["violations"]}).then(r=>r.violations.map(v=>({`+
			`id:v.id,help:v.help,nodes:v.nodes.map(n=>({html:n.html,failureSummary:n.failureSummary}))})))`, in, chromedp.EvalAwaitPromise)(ctx, to)
	})
	if err != nil {
		b.Fatalf("axe-core: %v", err)
	}
	return found
}

// overflow is how many pixels of the page are beyond the right edge of the screen.
func (b *tab) overflow() int {
	b.Helper()
	beyond, err := try[int](b, "document.documentElement.scrollWidth-document.documentElement.clientWidth")
	if err != nil {
		b.Fatal(err)
	}
	return beyond
}
