"""`make up`: `pulumi up` on one screen."""
