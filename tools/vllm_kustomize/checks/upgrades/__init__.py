"""What `upgrade` finds in a repository besides what it changes, named as the modules are."""
