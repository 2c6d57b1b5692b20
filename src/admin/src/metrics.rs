//! Figures in the text that Prometheus reads.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
    prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::api::{Family, FigureKind, FigureValue, Sample};

/// What [`text`] is.
pub(crate) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// The families as text, in their order.
///
/// # Errors
/// None that is known: writing to memory does not fail.
pub(crate) fn text(families: Vec<Family>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Gathered(families)));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

/// What was gathered for one scrape.
#[derive(Debug)]
struct Gathered(Vec<Family>);

impl Collector for Gathered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.0 {
            let kind = match family.kind {
                FigureKind::Counter => MetricType::Counter,
                FigureKind::Gauge => MetricType::Gauge,
                FigureKind::Histogram => MetricType::Histogram,
            };
            let help = format!("{}.", family.help);
            let mut encoder = encoder.encode_descriptor(family.name, &help, None, kind)?;
            for sample in &family.samples {
                let labels = Labels(sample);
                if sample.labels.is_empty() {
                    value(&mut encoder, family.kind, &sample.value)?;
                } else {
                    value(
                        &mut encoder.encode_family(&labels)?,
                        family.kind,
                        &sample.value,
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn value(encoder: &mut MetricEncoder<'_>, kind: FigureKind, value: &FigureValue) -> fmt::Result {
    match (value, kind) {
        (FigureValue::Count(count), FigureKind::Counter) => {
            encoder.encode_counter::<NoLabelSet, _, u64>(count, None)
        }
        (FigureValue::Number(number), FigureKind::Counter) => {
            encoder.encode_counter::<NoLabelSet, _, u64>(number, None)
        }
        (FigureValue::Count(count), _) => encoder.encode_gauge(count),
        (FigureValue::Number(number), _) => encoder.encode_gauge(number),
        (FigureValue::Histogram(buckets, above, sum), _) => {
            let count = buckets.iter().map(|(_, count)| count).sum::<u64>() + above;
            encoder.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
    }
}

/// The labels of a figure.
struct Labels<'a>(&'a Sample);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in &self.0.labels {
            (*name, value.as_ref()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let families = vec![
            Family::of(
                "mungo_stanzas",
                "Stanzas",
                FigureKind::Counter,
                [
                    (vec![("kind", "iq".into())], FigureValue::Count(7)),
                    (vec![("kind", "a \"b\"\\\n".into())], FigureValue::Count(8)),
                ],
            ),
            Family::one(
                "process_cpu_seconds",
                "CPU",
                FigureKind::Counter,
                FigureValue::Number(1.5),
            ),
            Family::one(
                "mungo_sessions",
                "Sessions",
                FigureKind::Gauge,
                FigureValue::Count(3),
            ),
            Family::of(
                "mungo_route_seconds",
                "Times",
                FigureKind::Histogram,
                [(
                    vec![("stage", "route".into())],
                    FigureValue::Histogram(vec![(0.5, 2), (1.0, 3)], 4, 9.25),
                )],
            ),
        ];
        assert_eq!(
            text(families).as_deref(),
            Ok(r#"# HELP mungo_stanzas_total Stanzas.
# TYPE mungo_stanzas_total counter
mungo_stanzas_total{kind="iq"} 7
mungo_stanzas_total{kind="a \"b\"\\\n"} 8
# HELP process_cpu_seconds_total CPU.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.5
# HELP mungo_sessions Sessions.
# TYPE mungo_sessions gauge
mungo_sessions 3
# HELP mungo_route_seconds Times.
# TYPE mungo_route_seconds histogram
mungo_route_seconds_bucket{stage="route",le="0.5"} 2
mungo_route_seconds_bucket{stage="route",le="1"} 5
mungo_route_seconds_bucket{stage="route",le="+Inf"} 9
mungo_route_seconds_sum{stage="route"} 9.25
mungo_route_seconds_count{stage="route"} 9
"#)
        );
    }
}
