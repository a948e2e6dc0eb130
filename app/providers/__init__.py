"""The catalogue of providers: what each one needs, as data."""
