// Package scenario re-enacts published cases of Azure Container Apps and holds
// acalocal to their outcome.
//
// A scenario is a file of testdata named after the case: a definition, what the
// images do, a script of what happens, and the rows, states and answers that
// were seen. Most run on a machine in memory in virtual time, hours in
// milliseconds, with the real engine, prober and edge; those that need a kernel
// run on the Docker Engine of this machine when ACALOCAL_DOCKER is 1.
//
//	title: Startup probe on a missing path
//	source: where the case was published
//	on: virtual                    or docker, or nothing: see why
//	build: examples/python-flask   what scenario/app:local is built from
//	broken: format                 why scenario/app:local cannot start, instead of a build: missing, permission, format
//	flags: --enforce-ephemeral-storage   of "up", for a machine in memory
//	differs: what is not as on Azure, if anything
//	fails: what is not as published and should be
//	why: why it cannot be reproduced here, if it cannot
//	-- images --                   of the machine in memory, one a line
//	nginx:alpine listens=80 after=1s /missing=404
//	-- app.yaml --
//	-- script --                   commands; see commands.go
//	-- want --                     what they printed
//
// docs/scenarios.md is made from them: see TestPage.
package scenario
