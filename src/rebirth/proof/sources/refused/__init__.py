"""What operators refuse of their own kinds, by webhook or in their controllers, where the schemas let it through."""
