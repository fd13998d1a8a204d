namespace PartnerBff.Usage;

/// <summary>Feature of a request that is not counted itself, because an inner request that it made was counted in its place.</summary>
internal sealed class CountedElsewhere
{
    public static readonly CountedElsewhere Instance = new();
}
