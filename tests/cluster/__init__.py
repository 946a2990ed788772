"""All that is rendered, on a real control plane with real controllers (`make cluster`)."""
