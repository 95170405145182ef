package acalocal_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/testcontainers/testcontainers-go"

	acalocal "github.com/acalocal/acalocal/testcontainers"
)

func ExampleRun() {
	ctx := context.Background()
	c, err := acalocal.Run(ctx, "acalocal:dev", acalocal.WithRun("web", "nginx:alpine", 80))
	defer func() {
		if err := testcontainers.TerminateContainer(c); err != nil {
			fmt.Println(err)
		}
	}()
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.WaitReady(ctx, "web"); err != nil {
		fmt.Println(err)
		return
	}
	url, err := c.URL(ctx, "web")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := http.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
}
