"""Give bare documents their visible fields back."""
