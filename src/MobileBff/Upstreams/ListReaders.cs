using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Upstreams;

namespace MobileBff.Upstreams;

// Lists are most of the data that the app's screens read. Reading their items by hand takes a third of the time of constructor binding and
// allocates only the items.

/// <summary>Facts about an order's lines that lists need.</summary>
/// <param name="Count">Number of lines, not pieces.</param>
/// <param name="FirstImage">Path of the first line's image.</param>
[ReadFrom(typeof(IReadOnlyList<PicturedLine>))]
public readonly record struct OrderLines(int Count, string? FirstImage);

/// <summary>The only member of an order line that is read, and only of the first line.</summary>
internal sealed record PicturedLine(string? ProductImageUrl);

/// <summary>Reads a page of orders.</summary>
internal sealed class OrderPageReader : JsonConverter<OrderPage>
{
    public override OrderPage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        List<ListedOrder>? items = null;
        string? cursor = null;
        Members.Begin(ref reader);
        while (Members.Next(ref reader))
        {
            if (reader.ValueTextEquals("items"u8))
            {
                items = Members.Items<ListedOrder>(ref reader, ListedOrderReader.Read);
            }
            else if (reader.ValueTextEquals("nextCursor"u8))
            {
                reader.Read();
                cursor = reader.GetString();
            }
            else
            {
                Members.Skip(ref reader);
            }
        }

        return new OrderPage(items ?? throw new JsonException(), ServiceCursorAttribute.Checked(cursor));
    }

    public override void Write(Utf8JsonWriter writer, OrderPage value, JsonSerializerOptions options) =>
        throw new NotSupportedException("Orders are never kept.");
}

/// <summary>Reads an order of a list. Its lines are counted but not kept.</summary>
internal sealed class ListedOrderReader : JsonConverter<ListedOrder>
{
    public override ListedOrder Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, before: null);

    public static ListedOrder Read(ref Utf8JsonReader reader, ListedOrder? before)
    {
        string? id = null,
            status = null,
            currency = null;
        DateTimeOffset? placedAt = null;
        decimal? total = null;
        OrderLines? lines = null;
        Members.Begin(ref reader);
        while (Members.Next(ref reader))
        {
            if (reader.ValueTextEquals("id"u8))
            {
                id = Members.Text(ref reader);
            }
            else if (reader.ValueTextEquals("status"u8))
            {
                status = Members.Text(ref reader, before?.Status);
            }
            else if (reader.ValueTextEquals("currency"u8))
            {
                currency = Members.Text(ref reader, before?.Currency);
            }
            else if (reader.ValueTextEquals("placedAt"u8))
            {
                reader.Read();
                placedAt = reader.GetDateTimeOffset();
            }
            else if (reader.ValueTextEquals("totalAmount"u8))
            {
                reader.Read();
                total = reader.GetDecimal();
            }
            else if (reader.ValueTextEquals("items"u8))
            {
                reader.Read();
                lines = Lines(ref reader);
            }
            else
            {
                Members.Skip(ref reader);
            }
        }

        return new ListedOrder(
            id ?? throw new JsonException(),
            status ?? throw new JsonException(),
            placedAt ?? throw new JsonException(),
            total ?? throw new JsonException(),
            currency ?? throw new JsonException(),
            lines ?? throw new JsonException()
        );
    }

    public override void Write(Utf8JsonWriter writer, ListedOrder value, JsonSerializerOptions options) =>
        throw new NotSupportedException("Orders are never kept.");

    private static OrderLines Lines(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException();
        }

        var (count, image) = (0, (string?)null);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Members.Begin(ref reader);
            if (count++ > 0)
            {
                reader.Skip();
                continue;
            }

            while (Members.Next(ref reader))
            {
                if (reader.ValueTextEquals("productImageUrl"u8))
                {
                    reader.Read();
                    image = reader.GetString();
                }
                else
                {
                    Members.Skip(ref reader);
                }
            }
        }

        return new(count, image);
    }
}

/// <summary>Reads a list of recommended products.</summary>
internal sealed class RecommendationsReader : JsonConverter<Recommendations>
{
    public override Recommendations Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        List<Recommendation>? items = null;
        Members.Begin(ref reader);
        while (Members.Next(ref reader))
        {
            if (reader.ValueTextEquals("items"u8))
            {
                items = Members.Items<Recommendation>(ref reader, RecommendationReader.Read);
            }
            else
            {
                Members.Skip(ref reader);
            }
        }

        return new Recommendations(items ?? throw new JsonException());
    }

    public override void Write(Utf8JsonWriter writer, Recommendations value, JsonSerializerOptions options) =>
        throw new NotSupportedException("What the app is shown of them is kept.");
}

/// <summary>Reads a recommended product.</summary>
internal sealed class RecommendationReader : JsonConverter<Recommendation>
{
    public override Recommendation Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, before: null);

    public static Recommendation Read(ref Utf8JsonReader reader, Recommendation? before)
    {
        string? id = null,
            name = null,
            image = null,
            currency = null;
        decimal? price = null;
        Members.Begin(ref reader);
        while (Members.Next(ref reader))
        {
            if (reader.ValueTextEquals("productId"u8))
            {
                id = Members.Text(ref reader);
            }
            else if (reader.ValueTextEquals("name"u8))
            {
                name = Members.Text(ref reader);
            }
            else if (reader.ValueTextEquals("imageUrl"u8))
            {
                reader.Read();
                image = reader.GetString();
            }
            else if (reader.ValueTextEquals("price"u8))
            {
                reader.Read();
                price = reader.GetDecimal();
            }
            else if (reader.ValueTextEquals("currency"u8))
            {
                currency = Members.Text(ref reader, before?.Currency);
            }
            else
            {
                Members.Skip(ref reader);
            }
        }

        return new Recommendation(
            id ?? throw new JsonException(),
            name ?? throw new JsonException(),
            image,
            price ?? throw new JsonException(),
            currency ?? throw new JsonException()
        );
    }

    public override void Write(Utf8JsonWriter writer, Recommendation value, JsonSerializerOptions options) =>
        throw new NotSupportedException("What the app is shown of it is kept.");
}

/// <summary>Reads one item of a list.</summary>
/// <param name="reader">The reader, at the item's first token. Afterwards it is at the item's last token.</param>
/// <param name="before">The previous item, whose strings are reused where they are equal; null for the first item.</param>
internal delegate T ItemReader<T>(ref Utf8JsonReader reader, T? before);

/// <summary>Reads the members of a JSON object.</summary>
internal static class Members
{
    private const int UsualItems = 10;

    public static void Begin(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }
    }

    public static bool Next(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Reads a string that must not be null. Returns the given string if the value is equal to it.</summary>
    public static string Text(ref Utf8JsonReader reader, string? before = null)
    {
        reader.Read();
        return before is not null && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(before)
            ? before
            : reader.GetString() ?? throw new JsonException();
    }

    /// <summary>Reads a list that must not be null and must not contain null.</summary>
    public static List<T> Items<T>(ref Utf8JsonReader reader, ItemReader<T> read)
        where T : class
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException();
        }

        var items = new List<T>(UsualItems);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(read(ref reader, items is [.., var before] ? before : null));
        }

        return items;
    }

    public static void Skip(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }
}
