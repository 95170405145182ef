package check

import (
	"fmt"
	"path/filepath"
	"strings"
)

// DocsURL is where the page of a rule is.
func DocsURL(id string) string {
	return "https://github.com/acalocal/acalocal/blob/main/docs/rules/" + id + ".md"
}

// SARIF is the findings as a log of the Static Analysis Results Interchange
// Format 2.1.0, which CI systems show beside the changed lines
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
func SARIF(findings []Finding, version string) any {
	results := make([]sarifResult, 0, len(findings))
	for _, f := range findings {
		results = append(results, f.sarif())
	}
	return sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:    sarifTool{sarifDriver{"acalocal", version, "https://github.com/acalocal/acalocal", sarifRules()}},
			Results: results,
		}},
	}
}

func sarifRules() []sarifRule {
	rules := []sarifRule{{
		ID: DefinitionRule, ShortDescription: sarifText{"Azure would refuse or ignore this part of the definition"},
		HelpURI: DocsURL(DefinitionRule), DefaultConfiguration: sarifLevel{"error"},
	}}
	for _, r := range Rules() {
		rules = append(rules, sarifRule{r.ID, sarifText{r.Title}, &sarifText{r.Why}, DocsURL(r.ID), sarifLevel{r.Severity.String()}})
	}
	return rules
}

func (f *Finding) sarif() sarifResult {
	r := sarifResult{RuleID: f.Rule, Level: f.Severity.String(), Message: sarifText{f.Message}}
	if f.Hint != "" {
		r.Message.Text = strings.TrimSuffix(r.Message.Text, ".") + ". Hint: " + f.Hint
	}
	if f.Position.File == "" {
		return r
	}
	location := sarifPhysical{ArtifactLocation: sarifArtifact{filepath.ToSlash(f.Position.File)}}
	if f.Position.Line > 0 {
		location.Region = &sarifRegion{f.Position.Line, max(1, f.Position.Column)}
	}
	r.Locations = []sarifLocation{{location}}
	return r
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID                   string     `json:"id"`
	ShortDescription     sarifText  `json:"shortDescription"`
	FullDescription      *sarifText `json:"fullDescription,omitempty"`
	HelpURI              string     `json:"helpUri"`
	DefaultConfiguration sarifLevel `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifLocation struct {
	PhysicalLocation sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
}

// JSON is the findings for programs; fields keep their meaning and new ones
// may appear.
func JSON(findings []Finding) any {
	out := make([]jsonFinding, 0, len(findings))
	for _, f := range findings {
		out = append(out, jsonFinding{
			Rule: f.Rule, Severity: f.Severity.String(), App: f.App, Path: f.Path, File: f.Position.File, Line: f.Position.Line,
			Column: f.Position.Column, Code: azureCode(f), Message: f.Message, Hint: f.Hint, Fixable: len(f.Edits) > 0, Docs: DocsURL(f.Rule),
		})
	}
	return out
}

// azureCode is the code Azure answers with; findings of rules have none.
func azureCode(f Finding) string {
	if f.Rule == DefinitionRule {
		return f.Code
	}
	return ""
}

type jsonFinding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	App      string `json:"app,omitempty"`
	Path     string `json:"path,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	Fixable  bool   `json:"fixable"`
	Docs     string `json:"docs"`
}

// Page is the page of a rule for docs/rules, in Markdown.
func (r Rule) Page() string {
	page := "# " + r.ID + "\n\n**" + r.Severity.String() + "**: " + r.Title + ".\n\n## What happens\n\n" + r.Why +
		"\n\n## What to do\n\n" + upperFirst(r.Do) + ".\n"
	if r.Fixable {
		page += "\n`acalocal check --fix` does it where the change is mechanical.\n"
	}
	return page + "\n## Where this was seen\n\n" + r.Source + "\n"
}

// ciSnippet shows how findings become annotations.
const ciSnippet = `
## In CI

` + "```yaml" + `
- run: acalocal check --format sarif > acalocal.sarif
- uses: github/codeql-action/upload-sarif@v3
  if: always()          # also when the check has failed
  with: { sarif_file: acalocal.sarif }
` + "```" + `

Exit codes: 0 nothing wrong, 1 an error (with ` + "`--strict`" + ` also a warning), 2 misuse of the command.
`

// Index is the list of all rules for docs/rules, in Markdown.
func Index() string {
	var b strings.Builder
	b.WriteString("# Rules of `acalocal check`\n\nEach rule comes from a published failure on Azure Container Apps. Ids never change. An `error` " +
		"fails the check; `--strict`\nlets a `warning` fail it, too. Rules that begin with `running-` look at the app while it runs here.\n\n" +
		"| rule | severity | what it finds |\n|---|---|---|\n" +
		"| [definition](definition.md) | error, warning | Azure would refuse this part of the definition, or would not do what it says |\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Title)
	}
	b.WriteString(ciSnippet)
	return b.String()
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
