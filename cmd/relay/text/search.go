package text

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// searchFlags are the flags of search.
type searchFlags struct {
	number, name, tag, since, until string
	cursor                          string
	limit                           int
	asJSON                          bool
	numbers                         cli.NumberFlags
}

// SearchCommand returns `relay search`.
func SearchCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f searchFlags
	cmd := &cobra.Command{
		Use:   "search [WORD…]",
		Short: "Find texts by their words, or by who wrote them",
		Long: `search finds what customers wrote and what they were answered, newest first: texts with all of the words, of a number, of a
customer with that name or tag, and of a time. All that you give applies together. The order of the words, capitals and accents do not
matter, and if no text has them as they are, the last word may be the beginning of one, of three letters or more.

With words it shows what the texts say, and the audit log records with each that you have read it: by the name in RELAY_OPERATOR, or else
the user name on this host. Without words it shows no words.

A text is found by its words some seconds after it came in, while relay serve runs. On AWS words cannot be searched, and a name only
together with the number that the customer texts.`,
		Example: `  relay search gate code
  relay search gate --since 7d --number +18585550100
  relay search --name "ann mil" --limit 100
  relay search --tag A47 --json
  relay search --aws --number +13125550147 --since 24h`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.search(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.number, "number", "", "only texts from or to this number")
	flags.StringVar(&f.name, "name", "", "only texts of customers of this name, or with such a beginning")
	flags.StringVar(&f.tag, "tag", "", "only texts of the customer with this tag, such as A47")
	flags.StringVar(&f.since, "since", "", "only texts that came in after this time: "+cli.MomentHelp)
	flags.StringVar(&f.until, "until", "", "only texts that came in before this time, written the same way")
	flags.IntVarP(&f.limit, "limit", "n", 20, "list at most this many texts")
	flags.StringVar(&f.cursor, "cursor", "", "continue an earlier list: the cursor that it ended with")
	cli.AddJSON(flags, &f.asJSON, "the answer of GET /sms/search")
	f.numbers.Add(flags)
	cli.AddRemote(flags)
	cli.AddTarget(flags)
	return cmd
}

// query is the query of GET /sms/search, which itself says what is wrong with it.
func (f searchFlags) query(words []string, now time.Time) (url.Values, error) {
	if f.limit < 1 {
		return nil, cli.Usage(errors.New("--limit: want 1 or more"))
	}
	number, _, err := f.numbers.ReadSender(f.number)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"words": strings.Join(words, " "), "number": string(number), "name": f.name, "tag": f.tag, "cursor": f.cursor,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query, setMoments(query, f.since, f.until, now)
}

func (p program) search(cmd *cobra.Command, words []string, f searchFlags) (err error) {
	query, err := f.query(words, time.Now())
	if err != nil {
		return err
	}
	c, closeAPI, err := p.findOperatorAPI(cmd.Context(), cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAPI()) }()
	found, err := findTexts(cmd.Context(), c, query, f.limit)
	if err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(found)
	}
	return p.printFound(found, len(words) > 0)
}

// findTexts reads page by page until it has as many texts as wanted, or there are no more.
func findTexts(ctx context.Context, c operatorapi.API, query url.Values, limit int) (conversations.Found, error) {
	all := conversations.Found{Texts: []conversations.FoundText{}}
	for {
		query.Set("limit", strconv.Itoa(min(limit-len(all.Texts), ledger.MaxLimit)))
		var page conversations.Found
		if err := c.Search(ctx, query, &page); err != nil {
			return all, err
		}
		page.Texts = append(all.Texts, page.Texts...)
		if all = page; all.NextCursor == "" || len(all.Texts) >= limit {
			return all, nil
		}
		query.Set("cursor", all.NextCursor)
	}
}

// printFound prints texts for people, one per line.
func (p program) printFound(found conversations.Found, withWords bool) error {
	if len(found.Texts) == 0 {
		cli.Say(p.Stdout, "no texts")
	} else {
		columns := []cli.Column{
			{Title: "SID", ID: true, Drop: 3}, {Title: "RECEIVED"}, {Title: "FROM"}, {Title: "CUSTOMER", Drop: 1}, {Title: "NUMBER", Drop: 2},
		}
		if withWords {
			columns = append(columns, cli.Column{Title: "TEXT", Text: true})
		}
		table := cli.NewTable(p.Stdout, columns...)
		for _, t := range found.Texts {
			row := []string{t.MessageSid, cli.When(p.Stdout, t.ReceivedAt), t.From(), string(t.Customer), string(t.TwilioNumber)}
			if t.Text != nil {
				row = append(row, *t.Text)
			}
			table.Row(row...)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if found.NotIndexed > 0 {
		cli.Say(p.Stdout, "%s cannot be found by words yet. relay serve sees to them in the background.", few(found.NotIndexed))
	}
	if found.NextCursor != "" {
		cli.Say(p.Stdout, "There are more texts: raise --limit, or continue with --cursor %s", found.NextCursor)
	}
	return nil
}

// few writes how many texts there are, which were counted up to [ledger.MaxCount].
func few(n int) string {
	if n >= ledger.MaxCount {
		return strconv.Itoa(n) + " texts or more"
	}
	return cli.Plural(n, "text")
}
