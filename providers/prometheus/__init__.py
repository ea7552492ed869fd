"""PrometheusQuery: asks Prometheus until the result is as expected. Changes nothing anywhere."""
