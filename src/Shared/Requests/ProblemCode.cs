namespace Bff.Requests;

/// <summary>One kind of error that a gateway makes: its stable code, HTTP status and title (RFC 9457).</summary>
/// <param name="Code">Stable, machine-readable; the last segment of the problem's <c>type</c> URI.</param>
/// <param name="Status">HTTP status code.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Explanation">What it means and what to do, shown on <c>/problems/&lt;code&gt;</c> and as the default <c>detail</c>.</param>
public sealed record ProblemCode(string Code, int Status, string Title, string Explanation)
{
    /// <inheritdoc />
    public override string ToString() => Code;
}
