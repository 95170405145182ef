package cli

// VerdictLine is verdictLine for tests outside the package.
var VerdictLine = verdictLine
