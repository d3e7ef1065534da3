package template

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const small = `
Parameters:
  Name: {Type: String, AllowedPattern: "^[a-z]+$", ConstraintDescription: lower-case letters.}
  Size: {Type: Number, Default: 3, MinValue: 1, MaxValue: 5}
  Mode: {Type: String, Default: plain, AllowedValues: [plain, fancy]}
  Origins: {Type: CommaDelimitedList, Default: "a, b"}
Mappings:
  Runs: {plain: {Texts: 2}, fancy: {Texts: 4}}
Conditions:
  Fancy: !Equals [!Ref Mode, fancy]
  Small: !And [!Not [!Condition Fancy], !Or [!Equals [!Ref Size, 1], !Equals [!Ref Size, 3]]]
Globals:
  Function: {Timeout: 3, Environment: {Variables: {A: "1"}}}
Resources:
  Q:
    Type: AWS::SQS::Queue
    Properties:
      Name: !Sub ${Name}-${Size}.fifo
      Runs: !FindInMap [Runs, !Ref Mode, Texts]
      Only: !If [Fancy, yes it is, !Ref AWS::NoValue]
      Origins: !Ref Origins
  F:
    Type: AWS::Serverless::Function
    DependsOn: Q
    Properties:
      Environment: {Variables: {B: !Ref Q, C: !GetAtt Q.Arn, D: !Sub "${Q.Arn}/${AWS::Region}/${!literal}"}}
      E: !Sub ["${Base}/x", {Base: !Select [1, !Split [",", !Join ["", [!Ref Q, ",two"]]]]}]
  Extra: {Type: AWS::SNS::Topic, Condition: Fancy}
  Plain: {Type: AWS::SNS::Topic, Condition: Small}
`

func physical(id, attribute string) (string, bool) {
	value, ok := map[string]string{"Q.": "url", "Q.Arn": "arn", "AWS::Region.": "here"}[id+"."+attribute]
	return value, ok
}

func TestParseAndResolve(t *testing.T) {
	parsed, err := Parse([]byte(small), map[string]any{"Name": "n"})
	if err != nil {
		t.Fatal(err)
	}
	q, _ := parsed.Resource("Q")
	want := Object{"Name": Object{"Fn::Sub": "n-3.fifo"}, "Runs": 2, "Origins": []any{"a", "b"}}
	if diff := cmp.Diff(want, q.Properties); diff != "" {
		t.Errorf("queue (-want +got):\n%s", diff)
	}
	if topics := parsed.Resources("AWS::SNS::Topic"); len(topics) != 1 || topics["Plain"].Condition != "Small" {
		t.Errorf("topics %v, want the plain one alone", topics)
	}
	resolved, err := parsed.Resolve(parsed.Functions()["F"], physical)
	if err != nil {
		t.Fatal(err)
	}
	want = Object{
		"Timeout": 3, "E": "two/x",
		"Environment": Object{"Variables": Object{"A": "1", "B": "url", "C": "arn", "D": "arn/here/${literal}"}},
	}
	if diff := cmp.Diff(any(want), resolved); diff != "" {
		t.Errorf("function (-want +got):\n%s", diff)
	}
	if f, _ := parsed.Resource("F"); !cmp.Equal(f.DependsOn, []string{"Q"}) {
		t.Errorf("F depends on %q", f.DependsOn)
	}
	if _, ok := parsed.Resource("Extra"); ok {
		t.Error("a resource is there that its condition rules out")
	}
}

func TestParametersThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		given map[string]any
		want  string
	}{
		"missing":         {nil, "parameter Name is not set"},
		"unknown":         {map[string]any{"Name": "n", "Nam": "n"}, "there is no parameter Nam"},
		"another pattern": {map[string]any{"Name": "N"}, `"N" should be lower-case letters`},
		"none of those":   {map[string]any{"Name": "n", "Mode": "odd"}, `"odd" is not one of plain, fancy`},
		"too small":       {map[string]any{"Name": "n", "Size": 0}, "0 is less than 1"},
		"too large":       {map[string]any{"Name": "n", "Size": "6"}, "6 is more than 5"},
		"no number":       {map[string]any{"Name": "n", "Size": "many"}, `"many" is no number`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(small), tt.given); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

// TestValuesAreText: a value that looks like a reference is text, and lists may be given in either form.
func TestValuesAreText(t *testing.T) {
	const text = `
Parameters: {A: {Type: String}, B: {Type: String}, L: {Type: CommaDelimitedList}}
Conditions: {First: !Equals [!Select [0, !Split ["/", !Ref B]], "b"]}
Resources:
  R: {Type: T, Condition: First, Properties: {S: !Sub "${A} ${ B } ${R}", T: !Sub ["${A} ${B}", {B: !Ref R}], L: !Ref L}}
`
	for name, list := range map[string]any{"a list": []any{"x", "y"}, "a string": "x,y"} {
		parsed, err := Parse([]byte(text), map[string]any{"A": "${B}${R}", "B": "b/c", "L": list})
		if err != nil {
			t.Fatal(err)
		}
		r, ok := parsed.Resource("R")
		if !ok {
			t.Fatal("a condition on a part of a parameter does not hold")
		}
		got, err := parsed.Resolve(r.Properties, func(id, attribute string) (string, bool) { return "r", id == "R" && attribute == "" })
		if err != nil {
			t.Fatal(err)
		}
		want := Object{"S": "${B}${R} b/c r", "T": "${B}${R} r", "L": []any{"x", "y"}}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatIsNotUnderstood(t *testing.T) {
	for name, text := range map[string]string{
		"no YAML": "\t", "nothing": "", "a condition of another kind": "Conditions: {A: !Length [1]}\nResources: {R: {Type: T, Condition: A}}",
		"a condition on itself": "Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\nResources: {R: {Type: T, " +
			"Condition: A}}",
		"a condition on what the account knows": "Conditions: {A: !Equals [!Ref AWS::Region, us-east-1]}\nResources: {R: {Type: T, " +
			"Condition: A}}",
		"a condition on a resource":     "Conditions: {A: !Equals [!Sub \"${R}\", x]}\nResources: {R: {Type: T, Condition: A}}",
		"a condition that is not there": "Resources: {R: {Type: T, Condition: A}}",
		"a mapping that is not there":   "Resources: {R: {Type: T, Properties: {P: !FindInMap [A, B, C]}}}",
	} {
		if _, err := Parse([]byte(text), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	parsed := &Template{}
	for name, v := range map[string]any{
		"an unknown reference": Object{"Ref": "X"}, "an unknown attribute": Object{"Fn::GetAtt": "Q.X"},
		"an unknown name in a pattern": Object{"Fn::Sub": "${X}"}, "an unknown function": Object{"Fn::Cidr": []any{}},
		"no such item": Object{"Fn::Select": []any{2, []any{"a"}}},
	} {
		if got, err := parsed.Resolve(v, physical); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestTheRelaysTemplate is read with defaults for all but what has none.
func TestTheRelaysTemplate(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := Parse(text, map[string]any{
		"TwilioAccountSid":         "AC00000000000000000000000000000000",
		"TwilioAuthTokenSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/token-AbCdEf",
	})
	if err != nil {
		t.Fatal(err)
	}
	everything := func(id, attribute string) (string, bool) { return "<" + id + "." + attribute + ">", true }
	for id, r := range parsed.All() {
		if _, err := parsed.Resolve(r.Properties, everything); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
