package drawing

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// The size of the grid's cells, and of what is around them.
const (
	cellWidth  = 62 * pixel
	cellHeight = 46 * pixel
	header     = 30 * pixel
	margin     = 8 * pixel
	dpi        = 96
	pixel      = vg.Inch / dpi
	columns    = 24
)

// Draw writes a picture of the graphs, in the places of the dashboard's grid, as a PNG. Text and alarm widgets are left out.
func Draw(out io.Writer, name string, graphs []Graph) error {
	top, bottom := math.MaxInt, 0
	for _, g := range graphs {
		top, bottom = min(top, g.widget.Y), max(bottom, g.widget.Y+g.widget.Height)
	}
	canvas := vgimg.NewWith(vgimg.UseWH(columns*cellWidth, vg.Length(bottom-top)*cellHeight+header), vgimg.UseDPI(dpi))
	page := draw.New(canvas)
	from, to := span(graphs)
	write(page, page.Min.X+margin, page.Max.Y-header/2, 13*pixel,
		fmt.Sprintf("%s, %s to %s UTC", name, from.Format("2006-01-02 15:04"), to.Format("15:04")), black())
	for _, g := range graphs {
		left := vg.Length(g.widget.X) * cellWidth
		high := page.Max.Y - header - vg.Length(g.widget.Y-top)*cellHeight
		if err := g.draw(draw.Canvas{Canvas: page.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left + margin, Y: high - vg.Length(g.widget.Height)*cellHeight + margin},
			Max: vg.Point{X: left + vg.Length(g.widget.Width)*cellWidth - margin, Y: high - margin},
		}}, from, to); err != nil {
			return fmt.Errorf("draw %q: %w", g.Title, err)
		}
	}
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(out)
	return err
}

// span returns the time of all points, so that all graphs have the same.
func span(graphs []Graph) (from, to time.Time) {
	for _, g := range graphs {
		for _, s := range g.Series {
			for _, p := range s.Points {
				if from.IsZero() || p.Time.Before(from) {
					from = p.Time
				}
				if end := p.Time.Add(time.Duration(s.Period) * time.Second); end.After(to) {
					to = end
				}
			}
		}
	}
	return from, to
}

// draw draws one graph. What has an axis of its own at the right has a part of the graph to itself here.
func (g Graph) draw(c draw.Canvas, from, to time.Time) error {
	title := vg.Length(16) * pixel
	write(c, c.Min.X, c.Max.Y-title/2, 11*pixel, g.Title, black())
	c.Max.Y -= title
	var left, right []Series
	for _, s := range g.Series {
		if s.right {
			right = append(right, s)
		} else {
			left = append(left, s)
		}
	}
	if len(right) == 0 || len(left) == 0 {
		return pane(c, append(left, right...), g.widget.Left+g.widget.Right, from, to)
	}
	middle := c.Min.Y + (c.Max.Y-c.Min.Y)*2/5
	above, below := c, c
	above.Min.Y, below.Max.Y = middle, middle
	if err := pane(above, left, g.widget.Left, from, to); err != nil {
		return err
	}
	return pane(below, right, g.widget.Right, from, to)
}

// pane draws lines against one axis.
func pane(c draw.Canvas, series []Series, unit string, from, to time.Time) error {
	p := plot.New()
	p.X.Min, p.X.Max = float64(from.Unix()), float64(to.Unix())
	p.X.Tick.Marker = plot.TimeTicks{Format: "15:04", Time: plot.UTCUnixTime}
	p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size, p.Legend.TextStyle.Font.Size = 8*pixel, 8*pixel, 8*pixel
	p.Y.Label.Text, p.Y.Label.TextStyle.Font.Size = unit, 8*pixel
	p.X.Label.TextStyle.Font.Size, p.X.Label.TextStyle.Color = 8*pixel, gray()
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.ThumbnailWidth = 12 * pixel
	p.Add(grid())
	var without []string
	for i, s := range series {
		if len(s.Points) == 0 {
			without = append(without, s.Label)
			continue
		}
		if err := addLine(p, s, i); err != nil {
			return err
		}
	}
	empty := len(without) == len(series)
	if empty {
		p.HideY()
	} else if len(without) > 0 {
		p.X.Label.Text = "no data: " + short(strings.Join(without, ", "))
	}
	// Room above the lines for the legend, and a bottom at zero: counts and times have one.
	p.Y.Min, p.Y.Max = 0, max(p.Y.Max, 1)*(1.1+0.09*float64(len(series)-len(without)))
	p.Draw(c)
	if empty {
		write(c, c.Min.X+(c.Max.X-c.Min.X)*2/5, c.Min.Y+(c.Max.Y-c.Min.Y)/2, 12*pixel, "no data", gray())
	}
	return nil
}

// addLine adds a line, broken where there are periods without a value.
func addLine(p *plot.Plot, s Series, i int) error {
	var points plotter.XYs
	for j, point := range s.Points {
		points = append(points, plotter.XY{X: float64(point.Time.Unix()), Y: point.Value})
		if j+1 < len(s.Points) && s.Points[j+1].Time.Sub(point.Time) == time.Duration(s.Period)*time.Second {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, dots.Color = lineColor(i), lineColor(i)
		line.Width = 1.2 * pixel
		dots.Shape, dots.Radius = draw.CircleGlyph{}, 1.4*pixel
		p.Add(line, dots)
		if j+1 == len(s.Points) {
			p.Legend.Add(s.Label, line)
		}
		points = nil
	}
	return nil
}

// short cuts a long text.
func short(text string) string {
	const longest = 84
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = color.Gray{Y: 235}, color.Gray{Y: 235}
	return g
}

// write writes one line of text, its middle at y.
func write(c draw.Canvas, x, y, size vg.Length, text string, in color.Color) {
	style := plot.New().Title.TextStyle
	style.Font.Size, style.Color = size, in
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	c.FillText(style, vg.Point{X: x, Y: y}, text)
}

func black() color.Color { return color.Gray{Y: 20} }
func gray() color.Color  { return color.Gray{Y: 130} }

// lineColor returns the color of the nth line: told apart also by who sees few colors.
func lineColor(n int) color.Color {
	colors := []color.RGBA{
		{0x00, 0x72, 0xB2, 0xFF},
		{0xD5, 0x5E, 0x00, 0xFF},
		{0x00, 0x9E, 0x73, 0xFF},
		{0xCC, 0x79, 0xA7, 0xFF},
		{0xE6, 0x9F, 0x00, 0xFF},
		{0x56, 0xB4, 0xE9, 0xFF},
		{0x44, 0x44, 0x44, 0xFF},
		{0x99, 0x33, 0x33, 0xFF},
	}
	return colors[n%len(colors)]
}
