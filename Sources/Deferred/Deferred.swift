// Deferred
