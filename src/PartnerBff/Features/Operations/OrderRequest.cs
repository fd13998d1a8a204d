using System.Globalization;
using Bff.Requests;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>An order to place.</summary>
/// <param name="Currency">ISO 4217, three capital letters.</param>
/// <param name="Items">1 to 100 lines.</param>
/// <param name="Reference">The partner's own reference, at most 100 characters; returned with the order.</param>
public sealed record OrderRequest(string Currency, IReadOnlyList<OrderRequestItem> Items, string? Reference = null)
{
    private const int MaxItems = 100;
    private const int MaxQuantity = 1_000_000;
    private const int MaxText = 100;

    /// <summary>Returns messages by member; null if the order is valid.</summary>
    internal Dictionary<string, string[]>? Mistakes(string prefix = "")
    {
        Dictionary<string, string[]>? mistakes = null;
        if (Reference is { } reference && (reference.Length == 0 || !IsText(reference)))
        {
            Add("reference", $"Must have 1 to {MaxText} characters, none of them a control character.");
        }

        if (Currency is not { Length: 3 } || Currency.AsSpan().ContainsAnyExceptInRange('A', 'Z'))
        {
            Add("currency", "Must be an ISO 4217 code such as EUR.");
        }

        if (Items is not { Count: > 0 and <= MaxItems })
        {
            Add("items", $"Must have 1 to {MaxItems} entries.");
            return mistakes;
        }

        for (var i = 0; i < Items.Count; i++)
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"items[{i}]");
            if (Items[i] is not { } item)
            {
                Add(at, "Must not be null.");
                continue;
            }

            if (item.ProductId is not { Length: > 0 } || !IsText(item.ProductId))
            {
                Add(at + ".product_id", $"Must have 1 to {MaxText} characters.");
            }

            if (item.Quantity is < 1 or > MaxQuantity)
            {
                Add(at + ".quantity", $"Must be a whole number from 1 to {MaxQuantity}.");
            }
        }

        return mistakes;

        void Add(string member, string message) => (mistakes ??= [])[prefix + member] = [message];
    }

    /// <summary>Returns the problem for the mistakes; null if there are none.</summary>
    internal Problem? Objection() => Mistakes() is { } mistakes ? new Problem(ProblemCodes.ValidationFailed) { Errors = mistakes } : null;

    private static bool IsText(string text) => TextLength.IsAtMost(text, MaxText) && !text.Any(char.IsControl);

    internal NewOrder ToUpstream() => new(Reference, Currency, [.. Items.Select(i => new NewOrderLine(i.ProductId, i.Quantity))]);
}

/// <summary>A line of an order to place.</summary>
public sealed record OrderRequestItem(string ProductId, int Quantity);
