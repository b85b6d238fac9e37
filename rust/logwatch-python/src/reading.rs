//! `logwatch._core.read_line`: one line as a tuple, and the names of protocols.

use std::borrow::Cow;

use logwatch_core::body::Packet;
use logwatch_core::line;
use logwatch_core::protocol::{self, Protocol};
use logwatch_core::template::Names;
use logwatch_core::text::text;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::prefixes_of;

/// The fields of `Reading` from `interface` on.
fn packet_fields<'py>(py: Python<'py>, packet: &Packet<'_>) -> PyResult<Bound<'py, PyTuple>> {
    let flags = packet
        .flags
        .map(|flags| PyTuple::new(py, flags.names().collect::<Vec<_>>()))
        .transpose()?;
    (
        PyBytes::new(py, packet.interface),
        PyBytes::new(py, packet.out_interface),
        packet.source.to_string(),
        packet.destination.to_string(),
        packet.length,
        packet.protocol.map(protocol::name),
        packet.source_port,
        packet.port,
        flags,
        packet.icmp_type,
        packet.icmp_code,
    )
        .into_pyobject(py)
}

/// (tier, kind, policy, namespace): ASCII.
fn names_text(names: Names<'_>) -> [Option<String>; 4] {
    [names.tier, names.kind, names.policy, names.namespace].map(|name| name.map(text))
}

#[pyfunction]
pub fn read_line<'py>(
    py: Python<'py>,
    line: &[u8],
    prefixes: Vec<String>,
) -> PyResult<Bound<'py, PyTuple>> {
    let prefixes = prefixes_of(&prefixes)?;
    let reading = line::read_line(line, &prefixes);
    let packet = reading.packet.as_ref().map(|packet| packet_fields(py, packet)).transpose()?;
    let stamp = reading.stamp.map(|stamp| PyBytes::new(py, stamp));
    let names = PyTuple::new(py, names_text(reading.names))?;
    (reading.kind.name(), reading.count, reading.prefix, stamp, names, packet).into_pyobject(py)
}

#[pyfunction]
pub fn protocol_name(number: Protocol) -> Cow<'static, str> {
    protocol::name(number)
}
