//! Every distribution of times of a summary, whole.

use super::Summary;
use crate::stats::curve::Curve;

impl Summary {
    /// The whole curves of all distributions of times that have one, by the path of their figures.
    pub fn curves(&self) -> Vec<(String, &Curve)> {
        let mut curves = Vec::new();
        for (name, caller) in self.callers.iter() {
            curves.push((format!("callers.{name}.latency_ms"), &caller.latency_curve));
        }
        for (name, function) in self.functions.iter() {
            curves.push((format!("functions.{name}.duration_ms"), &function.duration_curve));
            curves.push((format!("functions.{name}.init_ms"), &function.init_curve));
            let events = &function.asynchronous;
            curves.push((format!("functions.{name}.async_latency_ms"), &events.latency_curve));
            curves.push((format!("functions.{name}.async_event_age_ms"), &events.age_curve));
            curves.push((format!("functions.{name}.async_queue_time_ms"), &events.queue_time_curve));
        }
        for (name, queue) in self.queues.iter() {
            curves.push((format!("queues.{name}.time_to_delete_ms"), &queue.time_to_delete_curve));
        }
        for (name, mapping) in self.event_source_mappings.iter() {
            curves.push((format!("event_source_mappings.{name}.iterator_age_ms"), &mapping.iterator_age_curve));
        }
        for (name, machine) in self.state_machines.iter() {
            curves.push((format!("state_machines.{name}.duration_ms"), &machine.duration_curve));
        }
        for (name, dependency) in self.dependencies.iter() {
            curves.push((format!("dependencies.{name}.wait_ms"), &dependency.wait_curve));
            curves.push((format!("dependencies.{name}.latency_ms"), &dependency.latency_curve));
        }
        curves
    }
}
