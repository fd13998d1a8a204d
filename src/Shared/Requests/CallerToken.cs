namespace Bff.Requests;

/// <summary>
/// The access token that a caller came with, or that the caller's session has. It goes to services that are configured to get it, and
/// nowhere else: it has no text of its own, so that no log or error can show it.
/// </summary>
internal readonly struct CallerToken : IEquatable<CallerToken>
{
    private const string Scheme = "Bearer ";
    private readonly string? _text;
    private readonly bool _isHeader;

    private CallerToken(string text, bool isHeader) => (_text, _isHeader) = (text, isHeader);

    /// <summary>True for callers who have none: API keys, strangers.</summary>
    public bool IsNone => _text is null;

    /// <summary>The value of <c>Authorization</c> (RFC 6750 section 2.1). Made when it is wanted: few services want it.</summary>
    public string Authorization => string.Concat(Scheme, Value);

    /// <summary>The token itself, for what is exchanged for it.</summary>
    public ReadOnlySpan<char> Value => _isHeader ? _text.AsSpan(Scheme.Length).Trim(' ') : _text;

    /// <summary>From the request's own header, whose scheme has been read already.</summary>
    public static CallerToken OfHeader(string header) => new(header, isHeader: true);

    /// <summary>From a session.</summary>
    public static CallerToken Of(string token) => new(token, isHeader: false);

    public bool Equals(CallerToken other) => IsNone == other.IsNone && Value.SequenceEqual(other.Value);

    public override bool Equals(object? obj) => obj is CallerToken other && Equals(other);

    public override int GetHashCode() => string.GetHashCode(Value);

    public override string ToString() => nameof(CallerToken);
}
