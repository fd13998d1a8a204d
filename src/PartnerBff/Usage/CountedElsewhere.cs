namespace PartnerBff.Usage;

/// <summary>Feature of a request that is no use of its own: another one, which it has made, was counted in its place.</summary>
internal sealed class CountedElsewhere
{
    public static readonly CountedElsewhere Instance = new();
}
