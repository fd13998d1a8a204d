namespace Bff.Upstreams;

/// <summary>How much of an answer's body is read before the answer counts.</summary>
internal enum BodyUse
{
    /// <summary>None: it goes to the client as it comes.</summary>
    Streamed,

    /// <summary>All of it, with the codings that the service chose: it goes to a client.</summary>
    Whole,

    /// <summary>All of it, decoded: the gateway reads it.</summary>
    Decoded,
}
