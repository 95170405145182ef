module github.com/acalocal/acalocal/bench/swap

go 1.26
