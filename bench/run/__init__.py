"""The whole job: prepare models, convert, measure on every device, record."""
