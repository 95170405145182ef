package cli

import (
	"io"

	"github.com/spf13/cobra"
)

func newMetricsCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "metrics",
		Short: "Print what the apps use and answer, as Prometheus reads it",
		Long: `Print the metrics of all apps, as they are now, in the text format of Prometheus.
A server of yours finds the same at /metrics of the local API, without a token
(see "acalocal api").

Names follow Azure Monitor's: Requests, ResponseTime, Replicas, RestartCount,
UsageNanoCores, WorkingSetBytes, CpuPercentage, MemoryPercentage, RxBytes,
TxBytes. Their history is in the table AzureMetrics, one row a minute for each
app and metric, as a diagnostic setting on Azure writes it.`,
		Example: `  acalocal metrics | grep requests
  acalocal logs query "AzureMetrics | where MetricName == 'Replicas' | project TimeGenerated, Resource, Maximum"`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			text, err := c.Metrics(cmd.Context())
			if err != nil {
				return notRunning(err)
			}
			defer text.Close()
			_, err = io.Copy(s.Out, text)
			return err
		},
	}
}
