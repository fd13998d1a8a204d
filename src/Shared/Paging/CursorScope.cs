using System.Text;
using Bff.Requests;
using Bff.State;
using Microsoft.AspNetCore.Http;

namespace Bff.Paging;

/// <summary>The cursors of one list of one caller. The same place in the same list always has the same cursor.</summary>
public sealed class CursorScope
{
    private const int MaxLength = 4096;
    private readonly IKeyRing _keys;
    private readonly string _purpose;
    private readonly RingKey _current;
    private readonly byte[] _binding;

    internal CursorScope(IKeyRing keys, string purpose, RingKey current, byte[] binding) =>
        (_keys, _purpose, _current, _binding) = (keys, purpose, current, binding);

    /// <summary>Opens the cursor in a request's query. Null if there is none.</summary>
    /// <exception cref="ProblemException">
    /// 400 <c>invalid_cursor</c>: for the reasons of the other overload, or the cursor is given twice.
    /// </exception>
    public ValueTask<string?> Open(HttpContext context) =>
        context.Request.Query["cursor"] switch
        {
            { Count: 0 } => default,
            [{ } one] => Open(one, context.RequestAborted),
            _ => throw new ProblemException(new Problem(ProblemCodes.InvalidCursor)),
        };

    /// <summary>
    /// Returns the client's cursor (URL-safe) for a service's cursor. Null for null or empty, which is the end of the list.
    /// </summary>
    public string? Seal(string? cursor) =>
        string.IsNullOrEmpty(cursor) ? null : SealedBox.SealText(_current, Encoding.UTF8.GetBytes(cursor), _binding);

    /// <summary>Returns the service's cursor. Null for null, which is the beginning of the list.</summary>
    /// <exception cref="ProblemException">400 <c>invalid_cursor</c>: tampered with, too old, or of another list or caller.</exception>
    public async ValueTask<string?> Open(string? cursor, CancellationToken cancellation = default)
    {
        if (cursor is null)
        {
            return null;
        }

        var plain = cursor.Length is 0 or > MaxLength ? null : await SealedBox.OpenText(_keys, _purpose, cursor, _binding, cancellation);
        return plain is null ? throw new ProblemException(new Problem(ProblemCodes.InvalidCursor)) : Encoding.UTF8.GetString(plain);
    }
}
