namespace WebBff.Tests.Observability;

/// <summary>
/// For tests of what a host measures, as a collector receives it: hosts of one process have meters of the same name, which the exporter takes for one. The end of any
/// of them would end the others' figures. Spans, too, are exported whichever host of the process made them, and those are dropped that find the exporter's queue full.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
