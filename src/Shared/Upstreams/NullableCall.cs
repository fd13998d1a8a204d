using System.Text.Json.Serialization.Metadata;

namespace Bff.Upstreams;

/// <summary>Converts a call for a number or another struct into one for a nullable value, which parts need: null is no value.</summary>
internal sealed class NullableCall<T>(UpstreamCall<T> call) : UpstreamCall<T?>
    where T : struct
{
    private JsonTypeInfo<T?>? _type;

    internal override JsonTypeInfo<T?> Type =>
        _type ??= JsonMetadataServices.CreateValueInfo<T?>(call.Type.Options, JsonMetadataServices.GetNullableConverter(call.Type));

    internal override TimeProvider Time => call.Time;

    internal override async ValueTask<UpstreamAnswer<T?>> Make(CallContext context) =>
        (await call.Make(context)).Map(static value => (T?)value);
}
