"""What a stack file may say: typed, frozen models and the rules between them. No Pulumi here."""
