namespace PartnerBff.Tests.Observability;

/// <summary>
/// For tests of what a host measures, as a collector receives it: hosts of one process have meters of the same name, which the exporter takes for one. The end of any
/// of them would end the others' figures.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
