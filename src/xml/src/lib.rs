//! Bytes to XML and back: the stream framer, its limits, element views, the writer.
