"""What only a code host needs: pull requests, releases, the page of a change."""
