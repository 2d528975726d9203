"""From a source to rows that keep the contract."""
