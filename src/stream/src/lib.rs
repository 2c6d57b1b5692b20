//! Stream negotiation as a value: features, STARTTLS, SASL, binding. No I/O, no clock.
