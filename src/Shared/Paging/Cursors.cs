using System.Text;
using Bff.Requests;
using Bff.State;

namespace Bff.Paging;

/// <summary>
/// Turns the services' cursors into the cursors that clients see: sealed (clients cannot read, change or create one) and bound to the
/// route, the filter and the caller that they were issued for. Any instance can open them, also after restarts, for at least 60 days.
/// </summary>
/// <param name="keys">The store of the keys.</param>
/// <param name="purpose">Purpose of the keys. Tokens of another purpose cannot be opened.</param>
public sealed class Cursors(IKeyRing keys, string purpose = "cursors")
{
    /// <summary>Returns the cursors of one list of one caller. Call it before composing, because sealing itself does not wait.</summary>
    /// <param name="route">Name of the list, such as <c>web/orders</c>.</param>
    /// <param name="caller">The caller. Only the same one (tenant and subject; for API keys tenant and mode) can open the cursors.</param>
    /// <param name="filter">Everything else that changes the content of the list, in a fixed order. Not the limit.</param>
    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the keys.</exception>
    public async ValueTask<CursorScope> For(string route, Caller caller, params string?[] filter)
    {
        var current = await keys.Current(purpose);
        return new CursorScope(keys, purpose, current, Binding(purpose, route, caller, filter));
    }

    // Every piece is preceded by its length, so that no two lists of pieces give the same text.
    private static byte[] Binding(string purpose, string route, Caller caller, string?[] filter)
    {
        var text = new StringBuilder();
        Add(purpose);
        Add(route);
        Add(caller.Tenant);
        Add(caller.Kind == CallerKind.ApiKey ? (caller.IsSandbox ? "key:test" : "key:live") : "sub:" + caller.Subject);
        foreach (var piece in filter)
        {
            Add(piece);
        }

        return Encoding.UTF8.GetBytes(text.ToString());

        void Add(string? piece) => text.Append(piece?.Length ?? -1).Append(':').Append(piece);
    }
}
