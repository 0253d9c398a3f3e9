// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// An event that no ABI of the indexer knows: its logs are kept raw until somebody adds one.
contract TelemetryFacet {
    event SensorReading(bytes32 indexed device, int64 celsiusMillis, uint64 takenAt);

    function report(bytes32 device, int64 celsiusMillis) external {
        emit SensorReading(device, celsiusMillis, uint64(block.timestamp));
    }
}
