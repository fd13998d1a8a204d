namespace Bff.Requests;

/// <summary>An answer's tie to the credential that asked for it.</summary>
internal interface ICallerLife
{
    /// <summary>Cancelled when the credential expires or is revoked. The code that asks for it ends the answer itself.</summary>
    CancellationToken Ended { get; }
}
