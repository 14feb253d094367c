//! Records are sent and written: what the service refuses, and where a record goes (ESM-2.1).

use super::shard::LogRecord;
use super::{NewRecord, Put, Source, Streams};
use crate::aws::config::StreamKind;
use crate::aws::event::Context;
use crate::aws::fact::{Answer, BrokerFact, Fact, Observer, StreamFact};
use crate::aws::ids::LogId;
use crate::aws::limits;
use crate::aws::request::Reply;
use crate::kernel::rng::StreamKey;

/// Where a record will be that is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted {
    shard: u32,
    lane: u16,
}

impl Streams {
    /// A record is sent; what the service does with it.
    pub(crate) fn send<O: Observer>(
        &mut self,
        id: LogId,
        record: NewRecord,
        key: StreamKey,
        attempt: u32,
        context: &mut Context<'_, O>,
    ) -> Put {
        match self.admit(id, &record, (key, attempt), context) {
            Ok(admitted) => Put::Accepted(self.append(id, &record, admitted, context)),
            Err(reply) => Put::Refused(reply),
        }
    }

    /// Whether the service takes a record that is sent, and where it will be.
    pub(crate) fn admit<O: Observer>(
        &mut self,
        id: LogId,
        record: &NewRecord,
        (key, attempt): (StreamKey, u32),
        context: &mut Context<'_, O>,
    ) -> Result<Admitted, Reply> {
        let to = self.logs[id].target();
        if let Some(status) = self.faults.strike(to, &record.origin, key, attempt, context.now) {
            return Err(Reply::fault(status));
        }
        if let Source::Stream(_, config) = &self.logs[id].of
            && (record.bytes > config.maximum_record_size
                || config.kind == StreamKind::Kinesis && record.call_bytes > limits::PUT_RECORDS_BYTES)
        {
            return Err(Reply { answer: Answer::Rejected, status: 400 });
        }
        self.take(id, record, context)
    }

    /// A record is written, if the shard takes it.
    pub(crate) fn put<O: Observer>(&mut self, id: LogId, record: NewRecord, context: &mut Context<'_, O>) -> Put {
        match self.take(id, &record, context) {
            Ok(admitted) => Put::Accepted(self.append(id, &record, admitted, context)),
            Err(reply) => Put::Refused(reply),
        }
    }

    /// Whether a shard takes a record, within its limits.
    fn take<O: Observer>(
        &mut self,
        id: LogId,
        record: &NewRecord,
        context: &mut Context<'_, O>,
    ) -> Result<Admitted, Reply> {
        let (number, shard, lane) = self.logs[id].place(record.key);
        self.expire(id, shard, context);
        let log = &mut self.logs[id];
        let size = record.bytes + record.key.bytes();
        log.count_demand(size, context);
        let writes = &mut log.shards[shard].writes;
        if writes.as_mut().is_some_and(|writes| !writes.take(size, context.now)) {
            log.say_throttled(record.origin, number, context);
            // ESM-2.1: `ProvisionedThroughputExceededException`.
            return Err(Reply { answer: Answer::Throttled, status: 400 });
        }
        Ok(Admitted { shard: number, lane })
    }

    /// A record that was admitted at this moment is written; to which shard.
    pub(crate) fn append<O: Observer>(
        &mut self,
        id: LogId,
        record: &NewRecord,
        Admitted { shard, lane }: Admitted,
        context: &mut Context<'_, O>,
    ) -> u32 {
        let NewRecord { origin, bytes, .. } = *record;
        let stored = u32::try_from(bytes).unwrap_or(u32::MAX);
        let log = &mut self.logs[id];
        let record = LogRecord { origin, arrived: context.now, bytes: stored, lane };
        let sequence = log.append(shard, record);
        match log.of {
            Source::Stream(stream, _) => {
                context.state(&Fact::Stream(StreamFact::Put { origin, stream, shard, sequence, bytes }));
            }
            Source::Broker(broker) => context.state(&Fact::Broker(BrokerFact::Received { origin, broker, bytes })),
        }
        self.awaited += self.logs[id].reading();
        shard
    }
}
