//! Seeded data shared by the benches.
