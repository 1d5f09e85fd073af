//! Devices as a table.

use tine_engine::device::DeviceInfo;

/// One line a device: what `--backend` and `--device` take, and what it can do.
pub fn table(devices: &[DeviceInfo]) -> String {
    let width = devices.iter().map(|device| device.name.len()).max().unwrap_or(0);
    let line = |device: &DeviceInfo| {
        let backend = format!("{:?}", device.backend).to_lowercase();
        let mark = if device.is_default { '*' } else { ' ' };
        let rates = match device.rates_hz.as_slice() {
            [] => "any rate".to_owned(),
            rates => {
                rates.iter().map(|rate| format!("{}", f64::from(*rate) / 1000.0)).collect::<Vec<_>>().join(" ") + " khz"
            }
        };
        let periods = device.periods.map_or(String::new(), |(least, most)| format!(", periods {least}..{most}"));
        format!("{mark} {backend:<5} {:<width$}  {rates}{periods}  {}", device.name, device.about).trim_end().to_owned()
    };
    devices.iter().map(line).collect::<Vec<_>>().join("\n")
}
