"""Messages between parts and processes: kept in the control store, or carried by Amazon's SNS and SQS."""
