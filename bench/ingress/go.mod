module github.com/acalocal/acalocal/bench/ingress

go 1.26
